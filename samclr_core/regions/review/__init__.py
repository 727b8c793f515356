"""What people say about the regions: verdicts, decisions and corrections, and what follows."""
