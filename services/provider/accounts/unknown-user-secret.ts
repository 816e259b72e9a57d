// Owns the secret from which an unknown user name gets a constant salt. Without this secret, an attacker could use changing salts to find
// existing user names.
import { Secret } from '../../kernel/secret.ts';
import type { SettingsStore } from '../state/settings-store.ts';

/** Created at the first call, then read from the database. */
export async function loadUnknownUserSecret(settings: SettingsStore): Promise<Secret> {
  using fresh = Secret.random(32);
  return Secret.take(await settings.setOnce('unknown-user-secret', fresh.bytes));
}
