import { describe, expect, it } from 'vitest';
import { repositoryChanges, repositoryCommand, repositoryNameProblem } from './repository-draft.ts';

const before = { name: 'main', folder: '/srv/main' };

describe('the repository wizard', () => {
  it('refuses a name that another repository has', () => {
    const others = [{ name: 'Vault' }];
    expect(repositoryNameProblem('main', others)).toBeNull();
    expect(repositoryNameProblem('vAULT', others)).toBe('repositoryWizard.name.taken');
    expect(repositoryNameProblem(' ', others)).toBe('field.required');
    expect(repositoryNameProblem(' x', others)).toBe('field.name');
  });

  it('sends only what differs, and has the same as a command', () => {
    expect(repositoryChanges(before, { ...before, folder: ' /srv/main ' })).toEqual({});
    expect(repositoryChanges(before, { ...before, name: 'vault' })).toEqual({ name: 'vault' });
    expect(repositoryChanges(before, { name: 'vault', folder: '/mnt/x' })).toEqual({ name: 'vault', folder: '/mnt/x' });
    expect(repositoryCommand(before, { name: 'vault 2', folder: '/mnt/x' })).toBe(
      "farkeep repository set main --name 'vault 2' --folder /mnt/x",
    );
    expect(repositoryCommand(null, { name: 'main', folder: ' /srv/main' })).toBe(
      'farkeep repository add main --folder /srv/main',
    );
  });
});
