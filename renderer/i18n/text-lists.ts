// Texts of lists: counts, filters, columns, and questions about several rows.

export const listTexts = {
  'list.shown': '{shown, number} of {total, number}',
  'list.selected': '{count, number} selected',
  'list.filter': 'Filter',
  'list.filter.chosen': 'Filter: {filter}',
  'list.filter.all': 'All',
  'list.columns': 'Columns',
  'list.columns.reset': 'Default columns',
  'list.menu': 'Commands for {what}',
  'list.refresh': 'Refresh',
  'list.noMatch.filter': 'Nothing matches the filter “{filter}”',
  'list.noMatch.both': 'Nothing matches “{text}” and the filter “{filter}”',
  'list.noMatch.hint': 'Choose another filter, or show all rows.',
  'list.showAll': 'Show all',

  'tenants.enableMany.title': 'Enable {count, number} tenants?',
  'tenants.enableMany.text': 'The tenants can log in again.',
  'tenants.enableMany.confirm': 'Enable tenants',
  'tenants.disableMany.title': 'Disable {count, number} tenants?',
  'tenants.disableMany.text':
    'Running sessions of the tenants end. The tenants cannot log in until they are enabled again. Their backups are kept.',
  'tenants.disableMany.confirm': 'Disable tenants',
  'tenants.removeMany.title': 'Remove {count, number} tenants?',
  'tenants.removeMany.text':
    'The accounts are removed, with their passwords, quotas and invitations{sessions, plural, =0 {} one {, and one running session ends} other {, and # running sessions end}}. The tenants can no longer back up or restore. New accounts with the same names do not get these backups.',
  'tenants.removeMany.kept': 'Their backups ({used}) stay in the repository folders.',
  'tenants.removeMany.confirm': 'Remove tenants',
  'tenants.filter.nearlyFull': 'Over 90% of quota',
  'tenants.filter.leaseExpired': 'Lease expired',

  'gateways.disableMany.title': '{count, plural, one {Disable # gateway?} other {Disable # gateways?}}',
  'gateways.disableMany.text': 'Tenants cannot connect through these gateways until they are enabled again.',
  'gateways.disableMany.confirm': '{count, plural, one {Disable gateway} other {Disable gateways}}',
  'gateways.removeMany.title': 'Remove {count, number} gateways?',
  'gateways.removeMany.text':
    'Their enrollments end, and tenants can no longer connect through them. To use them again, enroll them again.',
  'gateways.removeMany.confirm': 'Remove gateways',
  'gateways.filter.notCovered': 'Not in the certificate',

  'repositories.removeMany.title': 'Remove {count, number} repositories?',
  'repositories.removeMany.text':
    'The repositories are removed from the list. Tenants can no longer back up to them or restore from them. The backups stay in their folders.',
  'repositories.removeMany.confirm': 'Remove repositories',

  'providers.filter.good': 'No problem',
  'providers.filter.problem': 'With a problem',
  'providers.removeMany.title': 'Remove {count, number} service providers?',
  'providers.removeMany.text':
    'The saved passwords and the lists of their gateways are deleted. Backups at the providers stay.',
  'providers.removeMany.confirm': 'Remove service providers',

  'sessions.filter.running': 'Running',
  'sessions.stopMany.title': 'Stop {count, number} sessions?',
  'sessions.stopMany.text': 'A stopped backup creates no restore point. Files that were already restored are kept.',
  'sessions.stopMany.confirm': 'Stop sessions',

  'jobs.filter.running': 'Running',
  'jobs.filter.failed': 'Last run failed',
  'jobs.filter.never': 'Never run',
  'jobs.runMany': '{count, plural, one {# job started} other {# jobs started}}',
  'jobs.removeMany.title': 'Remove {count, number} jobs?',
  'jobs.removeMany.text': 'Their restore points are kept at the provider and can still be restored.',
  'jobs.removeMany.confirm': 'Remove jobs',
} as const;
