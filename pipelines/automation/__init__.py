"""When things run: jobs, the monthly schedule and the landing sensor. What runs belongs in `assets`."""
