"""The people of this site: who they are, their faces, and how both get in and out. No recognition here."""
