"""What people read is compared with the code; parts of it are made from the code."""
