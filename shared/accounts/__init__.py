"""Accounts: sign-up, sessions, tokens, quotas."""
