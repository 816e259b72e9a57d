import { expect, it } from 'vitest';
import { folderLocation } from '../../repository/storage/repository-location.ts';
import { readSessionContext } from './session-context.ts';

it('reads the location of a session that an earlier version stored as a folder', () => {
  const rest = { tenantId: 'a', pointId: 'b', isCommitted: false };
  const location = folderLocation('/srv/farkeep/a');
  expect(readSessionContext({ ...rest, tenantFolder: '/srv/farkeep/a' })).toEqual({ ...rest, location });
  expect(readSessionContext({ ...rest, location })).toEqual({ ...rest, location });
});
