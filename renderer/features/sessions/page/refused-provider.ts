// Owns finding the provider whose new password a failed session needs. Pure.
import type { SessionDetail } from '../../../../services/contracts/models/session.ts';
import type { ServiceProvider } from '../../../../services/contracts/models/tenant.ts';

/** Undefined when the login was not refused, or when a new password was entered since then. */
export function refusedProvider(
  { viewer, error, otherSide }: Pick<SessionDetail, 'viewer' | 'error' | 'otherSide'>,
  providers: readonly ServiceProvider[],
): ServiceProvider | undefined {
  if (viewer !== 'tenant' || error?.code !== 'login.refused') return undefined;
  return providers.find(({ name, problemCode }) => name === otherSide && problemCode === 'login.refused');
}
