"""The tests: unit, integration, contract, e2e and deploy; helpers in support."""
