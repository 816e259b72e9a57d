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
} as const;
