"""The function that rotates the database's password; deployed as it stands here."""
