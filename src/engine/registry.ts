// One word in a list makes a component known; a test fails when a component file is in no list.
import type { Component } from './component.js';
import type { ExpectationBinding } from './expectations/expectation.js';
import { expressionExpectation } from './expectations/expression.js';
import { inSetExpectation } from './expectations/in-set.js';
import { lengthExpectation } from './expectations/length.js';
import { notNullExpectation } from './expectations/not-null.js';
import { rangeExpectation } from './expectations/range.js';
import { regexExpectation } from './expectations/regex.js';
import { rowCountExpectation } from './expectations/row-count.js';
import { uniqueExpectation } from './expectations/unique.js';
import { quarantinedSource } from './replay/quarantined-source.js';
import { csvSink } from './sinks/csv.js';
import { httpSink } from './sinks/http.js';
import { ndjsonSink } from './sinks/ndjson.js';
import { parquetSink } from './sinks/parquet.js';
import { postgresSink } from './sinks/postgres.js';
import type { SinkBinding } from './sinks/sink.js';
import { csvSource } from './sources/csv.js';
import { jsonSource } from './sources/json.js';
import { ndjsonSource } from './sources/ndjson.js';
import { parquetSource } from './sources/parquet.js';
import { recordsSource } from './sources/records.js';
import type { SourceBinding } from './sources/source.js';
import { castStep } from './transforms/cast.js';
import { deduplicateStep } from './transforms/deduplicate.js';
import { defaultStep } from './transforms/default.js';
import { deriveStep } from './transforms/derive.js';
import { dropStep } from './transforms/drop.js';
import { filterStep } from './transforms/filter.js';
import { mapStep } from './transforms/map.js';
import { normalizeStep } from './transforms/normalize.js';
import { renameStep } from './transforms/rename.js';
import { selectStep } from './transforms/select.js';
import { sqlStep } from './transforms/sql.js';
import type { StepBinding } from './transforms/step.js';

export const SOURCES: readonly Component<SourceBinding>[] = [
  csvSource,
  ndjsonSource,
  jsonSource,
  parquetSource,
  recordsSource,
];

/** What only Sluice itself puts into a spec. */
export const INTERNAL_SOURCES: readonly Component<SourceBinding>[] = [quarantinedSource];

export const STEPS: readonly Component<StepBinding>[] = [
  selectStep,
  dropStep,
  renameStep,
  castStep,
  deriveStep,
  filterStep,
  normalizeStep,
  defaultStep,
  mapStep,
  deduplicateStep,
  sqlStep,
];

export const EXPECTATIONS: readonly Component<ExpectationBinding>[] = [
  notNullExpectation,
  uniqueExpectation,
  inSetExpectation,
  rangeExpectation,
  lengthExpectation,
  regexExpectation,
  expressionExpectation,
  rowCountExpectation,
];

export const SINKS: readonly Component<SinkBinding>[] = [postgresSink, csvSink, ndjsonSink, parquetSink, httpSink];
