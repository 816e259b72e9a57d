import { expect, it } from 'vitest';
import { notable } from '../../contracts/notable-events.ts';
import { Database } from '../../kernel/state/database.ts';
import { ShiftedClock } from '../../testing/shifted-clock.ts';
import { AuditLog } from './audit-log.ts';
import { SqliteAuditStore } from './audit-store.ts';
import { providerMigrations } from './provider-database.ts';

it('stores an event as data and as text, and never fails for a closed database', async () => {
  const database = new Database(':memory:', providerMigrations);
  const audit = new AuditLog(new SqliteAuditStore(database), new ShiftedClock());
  await audit.add('root (console)', 'contoso', notable('tenant.set', { fields: ['leaseUntil', 'maxTasks'] }));
  await audit.addRefusal('mallory (192.0.2.1)', 'mallory', 'login.refused', 2);
  expect(database.all('SELECT who, action, subject, detail, parameters FROM audit')).toEqual([
    {
      who: 'root (console)',
      action: 'tenant.set',
      subject: 'contoso',
      detail: 'Changed: leaseUntil, maxTasks',
      parameters: '{"fields":["leaseUntil","maxTasks"]}',
    },
    {
      who: 'mallory (192.0.2.1)',
      action: 'login.refused',
      subject: 'mallory',
      detail: 'login.refused, 2 times',
      parameters: '{"code":"login.refused","times":2}',
    },
  ]);
  database.close();
  await audit.add('root (console)', 'contoso', notable('tenant.remove'));
});
