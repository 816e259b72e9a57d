// Owns the secret from which unknown users get a salt that stays the same, so that it does not tell them from known ones.
import { Secret } from '../../kernel/secret.ts';
import type { SettingsStore } from '../state/settings-store.ts';

/** Made at the first call, then read from the database. */
export async function loadUnknownUserSecret(settings: SettingsStore): Promise<Secret> {
  using fresh = Secret.random(32);
  return Secret.take(await settings.setOnce('unknown-user-secret', fresh.bytes));
}
