"""When things run, and in which instance: jobs, the monthly schedule, the sensor. What runs belongs in `assets`."""
