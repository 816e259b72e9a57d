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
  'tenants.disableMany.text': 'The tenants cannot log in until they are enabled again. Their backups stay.',
  'tenants.disableMany.confirm': 'Disable tenants',
  'tenants.removeMany.title': 'Remove {count, number} tenants?',
  'tenants.removeMany.text':
    'The accounts are removed, with their passwords, quotas and invitations{sessions, plural, =0 {} one {, and one running session ends} other {, and # running sessions end}}. The tenants can no longer back up or restore. New accounts with the same names do not get these backups.',
  'tenants.removeMany.kept': 'Their backups ({used}) stay in the repository folders.',
  'tenants.removeMany.confirm': 'Remove tenants',
  'tenants.filter.nearlyFull': 'Over 90% of quota',
  'tenants.filter.leaseExpired': 'Lease expired',
} as const;
