"""What keeps an app from harming the others: threads, time limits, the watchdog."""
