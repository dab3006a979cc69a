// The jobs of the demonstration: the input of the mutation `launchEtlJob`, as any client would send it.
// They all replace their table, so that a second run ends like the first.

/** Three million US flights of 2001, clean but for a dozen delays that cannot be. */
export const FLIGHTS = {
  name: 'flights',
  source: { parquet: { uri: 'file:flights-3m.parquet' } },
  steps: [
    {
      cast: {
        columns: [
          { name: 'delay', type: 'SMALLINT' },
          { name: 'distance', type: 'SMALLINT' },
        ],
      },
    },
    { rename: { columns: [{ from: 'date', to: 'departed_at' }] } },
    { derive: { column: 'route', expression: "origin || '-' || destination" } },
    { derive: { column: 'late', expression: 'delay > 15' } },
    { filter: { expression: 'distance >= 100' } },
  ],
  expectations: [
    { range: { column: 'delay', min: -240, max: 1440 }, severity: 'QUARANTINE' },
    { regex: { column: 'origin', pattern: '^[A-Z]{3}$' }, severity: 'FAIL' },
    { notNull: { column: 'departed_at' }, severity: 'FAIL' },
    { rowCount: { min: 2_900_000 }, severity: 'FAIL' },
  ],
  sink: { postgres: { table: 'flights', mode: 'REPLACE', createTable: true } },
};

const MOVIE_COLUMNS = [
  { from: 'Title', to: 'title' },
  { from: 'Release Date', to: 'released_on' },
  { from: 'MPAA Rating', to: 'mpaa_rating' },
  { from: 'Production Budget', to: 'budget' },
  { from: 'Worldwide Gross', to: 'worldwide_gross' },
  { from: 'IMDB Rating', to: 'imdb_rating' },
];

/** A list of movies as it was found: titles that are numbers or missing, releases in a future that is not over yet. */
export const MOVIES = {
  name: 'movies',
  source: { json: { uri: 'file:movies.json' } },
  steps: [
    { rename: { columns: MOVIE_COLUMNS } },
    { select: { columns: MOVIE_COLUMNS.map((column) => column.to) } },
    {
      cast: {
        columns: [
          { name: 'title', type: 'TEXT' },
          { name: 'released_on', type: 'DATE', format: '%b %d %Y' },
          { name: 'imdb_rating', type: 'DECIMAL', precision: 3, scale: 1 },
        ],
      },
    },
    { normalize: { columns: ['title'], operations: ['TRIM', 'COLLAPSE_WHITESPACE', 'NFC'] } },
    { derive: { column: 'profit', expression: 'worldwide_gross - budget' } },
  ],
  expectations: [
    { notNull: { column: 'title' }, severity: 'QUARANTINE' },
    { range: { column: 'released_on', min: '1900-01-01', max: '2011-12-31' }, severity: 'QUARANTINE' },
    { range: { column: 'budget', min: 1000 }, severity: 'QUARANTINE' },
    { range: { column: 'imdb_rating', min: 1, max: 10 }, severity: 'QUARANTINE' },
    { inSet: { column: 'mpaa_rating', values: ['G', 'PG', 'PG-13', 'R', 'NC-17', 'Not Rated'] }, severity: 'WARN' },
    { expression: { expression: 'worldwide_gross > 0', description: 'the movie earned something' }, severity: 'WARN' },
    { unique: { columns: ['title', 'released_on'] }, severity: 'WARN' },
  ],
  sink: { postgres: { table: 'movies', mode: 'REPLACE', createTable: true } },
  options: { errorBudget: { percent: 5, minRows: 100 } },
};

const PRICE = { name: 'price', type: 'DECIMAL', precision: 10, scale: 2 };

/** How another team has rebuilt the table: its dates are dates now. */
export const STOCKS_REBUILT = {
  name: 'stocks-rebuilt',
  source: { csv: { uri: 'file:stocks.csv' } },
  steps: [{ cast: { columns: [{ name: 'date', type: 'DATE', format: '%b %d %Y' }, PRICE] } }],
  sink: { postgres: { table: 'stocks', mode: 'REPLACE', createTable: true } },
};

/** The pipeline from before, which knows nothing of that and delivers text such as "Jan 1 2000". */
export const STOCKS = {
  name: 'stocks',
  source: { csv: { uri: 'file:stocks.csv' } },
  steps: [{ cast: { columns: [PRICE] } }],
  sink: { postgres: { table: 'stocks', mode: 'REPLACE', createTable: true } },
  options: { errorBudget: { percent: 1, minRows: 100 } },
};
