"""V: mails, from words and layouts."""
