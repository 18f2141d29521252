"""Subjects seen from near: creatures, portraits, still lifes, and the settings behind them."""
