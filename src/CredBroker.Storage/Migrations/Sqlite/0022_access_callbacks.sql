-- Addresses that who submitted an access request has named to be told what becomes of it, until that question to people is over. Which
-- events, as a JSON array (empty: all), and the caller's own state, which is JSON and is given back unread (empty: none).
CREATE TABLE access_callback (
  number INTEGER PRIMARY KEY,
  approval TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  events TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX access_callback_approval ON access_callback (approval);

-- What is told to such an address alone; without one it is for those of the settings.
ALTER TABLE notification ADD COLUMN callback TEXT;
ALTER TABLE notification ADD COLUMN callback_state TEXT NOT NULL DEFAULT '';
