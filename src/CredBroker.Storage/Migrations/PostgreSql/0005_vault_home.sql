-- Where in that cluster the store's secrets are (the settings Vault:Installation and Vault:Namespace), the same for every broker on it; NULL until the
-- first broker that knows of this has met Vault.
ALTER TABLE vault_cluster ADD COLUMN installation TEXT;
ALTER TABLE vault_cluster ADD COLUMN namespace TEXT;
