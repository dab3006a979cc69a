/**
 * Counts a vitest JSON report so that nothing can hide: a test file that could not even be loaded, a skipped test,
 * a run that failed for another reason (an unhandled rejection, say) each count as a failure.
 *
 * @param {string | undefined} report the JSON text, or undefined when vitest wrote none
 * @param {{ exitCode: number, filtered: boolean }} run `filtered`: the user asked for a part, the rest may be skipped
 */
export function readTally(report, { exitCode, filtered }) {
  if (report === undefined) return { passed: 0, failed: 1, remarks: ['The test run ended without a report.'] };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(report);
  const remarks = [];
  let failed = numFailedTests;
  const broken = testResults.filter(
    (f) => f.status === 'failed' && !f.assertionResults.some((t) => t.status === 'failed'),
  );
  failed += broken.length;
  for (const file of broken) remarks.push(`Failed outside of its tests: ${file.name}`);
  const skipped = numPendingTests + numTodoTests;
  if (skipped > 0 && !filtered) {
    failed += skipped;
    remarks.push(`${skipped} tests were skipped, which counts as failed: a test runs or does not exist.`);
  }
  if (numPassedTests + failed === 0) {
    failed = 1;
    remarks.push('No test ran.');
  }
  if (exitCode !== 0 && failed === 0) {
    failed = 1;
    remarks.push(`Every test passed, but the run itself failed (exit code ${exitCode}), as said above.`);
  }
  return { passed: numPassedTests, failed, remarks };
}
