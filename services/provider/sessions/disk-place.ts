// Owns the error messages about the provider's disk for people at the provider: with the location. Tenants must not see the location
// (for-tenant.ts). Pure.
import { errorCatalogue } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isOfTenant, isToldToTenant, withTenantNamed } from '../../mover/link/for-tenant.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { ProviderSessionContext } from './session-context.ts';

/** The system's message alone does not name the disk, and the provider admin has to find it. */
export function withPlace(
  error: FarkeepError,
  { location, tenantName }: Pick<ProviderSessionContext, 'location' | 'tenantName'>,
  repository: string,
): FarkeepError {
  if (isOfTenant(error)) return withTenantNamed(error);
  const { code, message, hint, retryable } = error;
  const name = storageBackends.describe(location);
  if (!code.startsWith('storage.') || message.includes(name)) return error;
  const place = `Repository "${repository}", folder ${name} of "${tenantName}"`;
  return new FarkeepError(code, `${place}: ${message}`, { hint, retryable, cause: error });
}

/**
 * The tenant may repeat the provider's disk error before the mover reports it; then the location is added. An error of the tenant's own
 * disk gets no location.
 */
export function fromTenant(
  error: FarkeepError,
  context: Pick<ProviderSessionContext, 'location' | 'tenantName'>,
  repository: string,
): FarkeepError {
  if (!isToldToTenant(error)) return withTenantNamed(error);
  const { code } = error;
  return withPlace(new FarkeepError(code, errorCatalogue[code].title), context, repository);
}
