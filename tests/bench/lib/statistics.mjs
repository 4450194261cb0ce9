// SPDX-License-Identifier: GPL-3.0-or-later
// Medians, percentiles and the table of results.

/** The value that `percent` % of the values do not exceed; null of none. */
export function percentile(values, percent) {
  if (values.length === 0)
    return null;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

export function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0)
    return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function show(value) {
  if (value === null || value === undefined || Number.isNaN(value))
    return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 1000)
    return String(Math.round(value));
  return Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(1);
}

/** Lines of a table whose first row is its head; numbers stand to the right. */
export function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column === 0
    ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
}
