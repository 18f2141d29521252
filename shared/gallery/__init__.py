"""The public gallery: publication, reports, stable links."""
