import { expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { fromTenant, withPlace } from '../../provider/sessions/disk-place.ts';
import { folderLocation } from '../../repository/storage/repository-location.ts';
import { failureOfProvider, failureOfTenant, forTenant } from './for-tenant.ts';

const context = { location: folderLocation('/srv/farkeep/aa'), tenantName: 'contoso' };

it("does not show paths of the provider's folders to the tenant", () => {
  const converted = forTenant(new FarkeepError('storage.disk-full', 'ENOSPC: /srv/farkeep/aa'));
  expect(converted).toMatchObject({ code: 'storage.disk-full', message: 'At the provider: The disk is full' });
});

it("does not blame the provider for a disk error that the source reported from the tenant's machine", () => {
  const error = failureOfTenant('storage.disk-full', 'ENOSPC: /srv/contoso/cache.sqlite');
  expect(forTenant(error)).toMatchObject({ message: 'ENOSPC: /srv/contoso/cache.sqlite' });
  expect(withPlace(error, context, 'main').message).toBe('At the tenant: ENOSPC: /srv/contoso/cache.sqlite');
});

it('blames the provider for its own disk, also after both sides have repeated the error', () => {
  const own = new FarkeepError('storage.io', 'EIO: read');
  const told = forTenant(own);
  const overControlChannel = FarkeepError.fromInfo(told.toInfo());
  const overDataStream = FarkeepError.fromInfo(failureOfProvider(told.code, told.message).toInfo());
  for (const back of [overControlChannel, overDataStream])
    expect(fromTenant(back, context, 'main').message).toContain('folder /srv/farkeep/aa of "contoso"');
  expect(withPlace(own, context, 'main').message).toContain('folder /srv/farkeep/aa of "contoso"');
});

it("names the tenant in the final error about the tenant's own disk, and leaves other messages as they are", () => {
  expect(fromTenant(new FarkeepError('storage.disk-full', 'ENOSPC: /home'), context, 'main').message).toBe(
    'At the tenant: ENOSPC: /home',
  );
  const named = fromTenant(new FarkeepError('storage.disk-full', 'ENOSPC: /home'), context, 'main');
  expect(withPlace(FarkeepError.fromInfo(named.toInfo()), context, 'main').message).toBe(
    'At the tenant: ENOSPC: /home',
  );
  const plain = new FarkeepError('restore.incomplete', '3 files');
  expect(fromTenant(plain, context, 'main')).toBe(plain);
});
