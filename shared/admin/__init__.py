"""What operators do: accounts, jobs, gallery."""
