-- What the holder of the secret that was approved says it did with it, as JSON; NULL until it says something.
ALTER TABLE approval ADD COLUMN outcome TEXT;
