import { describe, expect, it } from 'vitest';
import type { StoredCertificate } from '../../contracts/models/certificate.ts';
import type { GatewayRow } from '../state/gateway-store.ts';
import { ProviderHealth, type HealthSources } from './provider-health.ts';

describe('ProviderHealth', () => {
  const connected = new Set<string>();
  const rows: GatewayRow[] = [];
  let nowMs = 0;
  const sources: HealthSources = {
    gateways: { rows: () => rows, isConnected: (id) => connected.has(id) },
    identity: { stored: { summary: { notAfter: '2030-01-01T00:00:00.000Z' } } as StoredCertificate },
    clock: { now: () => nowMs, sleep: () => Promise.resolve() },
  };
  const row = (id: string): GatewayRow => ({
    id,
    name: id,
    addresses: [],
    isEnabled: true,
    enrolledAt: 'then',
    lastSeenAt: null,
  });

  it('reports a missing gateway only when one is expected and none is connected', () => {
    const board = new ProviderHealth(sources);
    const seen: string[] = [];
    const stop = board.onChanged(({ health }) => seen.push(health));
    board.refresh();
    rows.push(row('gw1'), row('gw2'));
    board.refresh();
    connected.add('gw2');
    board.refresh();
    board.refresh();
    connected.delete('gw2');
    board.refresh();
    stop();
    connected.add('gw1');
    board.refresh();
    expect(seen).toEqual(['degraded', 'running', 'degraded']);
    expect(board.current()).toEqual({ health: 'running', reason: null });
  });

  it('reports an expired certificate', () => {
    nowMs = Date.parse('2030-01-02T00:00:00Z');
    expect(new ProviderHealth(sources).current()).toEqual({
      health: 'degraded',
      reason: 'The provider certificate expired on 2030-01-01',
    });
  });
});
