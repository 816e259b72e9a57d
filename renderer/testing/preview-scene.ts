// Owns which data a preview shows. The query of the address selects it, such as ?roles=provider,tenant&rows=10000.

export interface PreviewScene {
  readonly roles: readonly ('provider' | 'gateway' | 'tenant')[];
  readonly isEmpty: boolean;
  readonly theme: 'system' | 'light' | 'dark';
  readonly page: string;
  readonly prompt: 'none' | 'untrusted' | 'changed';
  /** How many tenants and jobs there are. */
  readonly rows: number;
  readonly session: 'running' | 'tampered' | 'waiting' | 'done' | 'starting';
}

export function sceneOf(query: URLSearchParams): PreviewScene {
  const roles = (query.get('roles') ?? 'provider,gateway,tenant').split(',');
  return {
    roles: (['provider', 'gateway', 'tenant'] as const).filter((role) => roles.includes(role)),
    isEmpty: query.get('scene') === 'empty',
    theme: query.get('theme') === 'dark' ? 'dark' : query.get('theme') === 'light' ? 'light' : 'system',
    page: query.get('page') ?? 'overview',
    prompt: query.get('prompt') === 'changed' ? 'changed' : query.get('prompt') === 'untrusted' ? 'untrusted' : 'none',
    rows: Number(query.get('rows') ?? 12),
    session:
      (['tampered', 'waiting', 'done', 'starting'] as const).find((name) => name === query.get('session')) ?? 'running',
  };
}
