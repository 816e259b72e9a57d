// `npm run screenshots`: opens every page and dialog of the real console and saves pictures of them in build/screenshots/every, in three
// sizes and two colors. Checks nothing: a person looks at the pictures.
process.env['FARKEEP_SCREENSHOTS'] = '1';
process.argv.splice(2, Infinity, '--only', 'e2e', '--project=screenshots');
await import('./test.mjs');
