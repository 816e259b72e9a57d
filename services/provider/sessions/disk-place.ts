// Owns how a failure of the provider's disk is told to the provider's own people: with its place. Tenants never hear it (for-tenant.ts). Pure.
import { errorCatalogue } from '../../contracts/errors.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { isOfTenant, isToldToTenant, withTenantNamed } from '../../mover/link/for-tenant.ts';
import { storageBackends } from '../../repository/backends.ts';
import type { ProviderSessionContext } from './session-context.ts';

/** The provider admin has to find the disk: the system's word alone does not name it. */
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

/** What the tenant was told of this side's own disk comes back when its word is quicker than the mover's end; its own disk is its business. */
export function fromTenant(
  error: FarkeepError,
  context: Pick<ProviderSessionContext, 'location' | 'tenantName'>,
  repository: string,
): FarkeepError {
  if (!isToldToTenant(error)) return withTenantNamed(error);
  const { code } = error;
  return withPlace(new FarkeepError(code, errorCatalogue[code].title), context, repository);
}
