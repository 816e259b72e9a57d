import { describe, expect, it } from 'vitest';
import { makeErrorInfo } from '../../../platform/error-info.ts';
import { serviceProviderOf } from '../../../testing/fixtures.ts';
import { refusedProvider } from './refused-provider.ts';

const provider = serviceProviderOf(1, { problem: 'refused', problemCode: 'login.refused' });
const session = { viewer: 'tenant', error: makeErrorInfo('login.refused', ''), otherSide: provider.name } as const;

describe('the provider whose new password a session needs', () => {
  it('is found by the name in the session', () => {
    expect(refusedProvider(session, [serviceProviderOf(2, { name: 'Fabrikam' }), provider])).toBe(provider);
  });

  it('is not offered after another error, on the other side, or when the password is right again', () => {
    expect(refusedProvider({ ...session, error: makeErrorInfo('connection.lost', '') }, [provider])).toBeUndefined();
    expect(refusedProvider({ ...session, error: null }, [provider])).toBeUndefined();
    expect(refusedProvider({ ...session, viewer: 'provider' }, [provider])).toBeUndefined();
    expect(refusedProvider(session, [serviceProviderOf(1)])).toBeUndefined();
  });
});
