"""What leaves the house: published counts, figures and their citation. Rounding and audit belong in `disclosure`."""
