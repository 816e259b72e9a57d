import fc from 'fast-check';
import { chmodSync, closeSync, openSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../../testing/repository/repository-fixture.ts';
import { allowedMode, applyMetadata, isMetadataRight, presentMetadata, reasonOf } from './entry-metadata.ts';

const ids = fc.nat({ max: 3 });
const owners = fc.record({ uid: ids, gid: ids });
const users = fc.record({ uid: ids, groups: fc.uniqueArray(ids) });

/** Returns the permissions of a user for a file by the kernel's rule: the first matching class (owner, group, others) decides. */
function rightsOf(
  user: { readonly uid: number; readonly groups: readonly number[] },
  mode: number,
  owner: { readonly uid: number; readonly gid: number },
): number {
  if (user.uid === owner.uid) return (mode >> 6) & 0o7;
  return user.groups.includes(owner.gid) ? (mode >> 3) & 0o7 : mode & 0o7;
}

describe('permissions of a file whose owner could not be set', () => {
  it('give no user more rights than in the source', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0o7777 }), owners, owners, users, (mode, owner, present, user) => {
        const given = allowedMode({ mode, owner, mtimeNs: 0n }, present);
        // The restoring account already has the content, and an owner can always change the permissions.
        if (user.uid === present.uid || user.uid === owner.uid) return;
        expect(rightsOf(user, given, present) & ~rightsOf(user, mode, owner)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('have no set-id bit of another user, and are unchanged if the owner is right', () => {
    const wanted = { mode: 0o6755, owner: { uid: 1, gid: 2 }, mtimeNs: 0n };
    expect(allowedMode(wanted, { uid: 1, gid: 2 })).toBe(0o6755);
    expect(allowedMode(wanted, { uid: 0, gid: 2 })).toBe(0o755);
    expect(allowedMode({ ...wanted, mode: 0o4640 }, { uid: 1, gid: 0 })).toBe(0o600);
  });
});

describe('owner, mode and time', () => {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

  it('are set one by one, and each refusal is reported without a path', async () => {
    await using scratch = await scratchFolder();
    const descriptor = openSync(scratch.folder, 'r');
    closeSync(descriptor);
    const present = { ...own, mode: 0o600, mtimeNs: undefined };
    const wanted = { mode: 0o640, owner: { uid: own.uid, gid: own.gid + 1 }, mtimeNs: 5n };
    const refused = applyMetadata(descriptor, wanted, false, present);
    expect(refused.map(({ step }) => step)).toEqual(['owner', 'time']);
    expect(applyMetadata(descriptor, { ...wanted, mode: 0o644 }, false, present).map(({ step }) => step)).toEqual([
      'owner',
      'mode',
      'time',
    ]);
    for (const { reason } of refused) expect(reason).toBe('EBADF: bad file descriptor');
  });

  it('are corrected where they differ; mode and time also if the owner may not be changed', async () => {
    await using scratch = await scratchFolder();
    const file = path.join(scratch.folder, 'file');
    writeFileSync(file, 'x');
    chmodSync(file, 0o666);
    utimesSync(file, 1, 1);
    const descriptor = openSync(file, 'r');
    const wanted = { mode: 0o640, owner: { uid: own.uid + 1, gid: own.gid }, mtimeNs: 1_600_000_000_123_456_000n };
    expect(isMetadataRight(wanted, presentMetadata(descriptor), false)).toBe(false);
    expect(applyMetadata(descriptor, wanted, false)).toMatchObject([{ step: 'owner' }]);
    expect(isMetadataRight(wanted, presentMetadata(descriptor), false)).toBe(true);
    closeSync(descriptor);
    expect(statSync(file).mode & 0o7777).toBe(0o640);
  });
});

describe('the reason of a failure', () => {
  it('contains no path, because the path may lead through a descriptor', () => {
    let thrown: unknown;
    try {
      openSync('/proc/self/fd/0/nothing', 'r');
    } catch (error) {
      thrown = error;
    }
    expect(reasonOf(thrown)).toMatch(/^[A-Z]+: [a-z ]+$/);
    expect(reasonOf(new Error('plain'))).toBe('plain');
  });
});
