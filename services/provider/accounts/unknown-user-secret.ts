// Owns the secret from which unknown users get a salt that stays the same, so that it does not tell them from known ones.
import type { Database } from '../../kernel/state/database.ts';
import { Secret } from '../../kernel/secret.ts';

/** Made at the first call, then read from the database. */
export function loadUnknownUserSecret(database: Database): Secret {
  const row = database.get("SELECT value FROM settings WHERE name = 'unknown-user-secret'");
  if (row?.['value'] instanceof Uint8Array) return Secret.take(Buffer.from(row['value']));
  const secret = Secret.random(32);
  database.run("INSERT INTO settings (name, value) VALUES ('unknown-user-secret', ?)", secret.bytes);
  return secret;
}
