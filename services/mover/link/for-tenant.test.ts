import { expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { fromTenant, withPlace } from '../../provider/sessions/disk-place.ts';
import { failureOfProvider, failureOfTenant, forTenant } from './for-tenant.ts';

const context = { tenantFolder: '/srv/farkeep/aa', tenantName: 'contoso' };

it('keeps the folders of the provider from the tenant', () => {
  const told = forTenant(new FarkeepError('storage.disk-full', 'ENOSPC: /srv/farkeep/aa'));
  expect(told).toMatchObject({ code: 'storage.disk-full', message: 'At the provider: The disk is full' });
});

it('does not blame the provider for a disk of the tenant that the source told of', () => {
  const error = failureOfTenant('storage.disk-full', 'ENOSPC: /srv/contoso/cache.sqlite');
  expect(forTenant(error)).toMatchObject({ message: 'ENOSPC: /srv/contoso/cache.sqlite' });
  expect(withPlace(error, context, 'main').message).toBe('At the tenant: ENOSPC: /srv/contoso/cache.sqlite');
});

it('blames the provider for its own disk, however often that is told back and forth', () => {
  const own = new FarkeepError('storage.io', 'EIO: read');
  const told = forTenant(own);
  const overControlChannel = FarkeepError.fromInfo(told.toInfo());
  const overDataStream = FarkeepError.fromInfo(failureOfProvider(told.code, told.message).toInfo());
  for (const back of [overControlChannel, overDataStream])
    expect(fromTenant(back, context, 'main').message).toContain('folder /srv/farkeep/aa of "contoso"');
  expect(withPlace(own, context, 'main').message).toContain('folder /srv/farkeep/aa of "contoso"');
});

it('names the tenant in its last word about its own disk, and leaves other words as they are', () => {
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
