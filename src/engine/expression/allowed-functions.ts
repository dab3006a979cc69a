const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Scalar functions and operators that user SQL may call: pure, deterministic, row by row. What reads files,
 * settings, the clock, random numbers or the catalogue is not here, so that evaluating a source twice gives
 * the same rows and no expression can look outside of its row.
 */
export const SCALAR_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  + - * / // % ** ^ & | ~ << >> || ! @ ~~ !~~ ~~* !~~* ~~~ ->> -> <@ @> && ^@
  abs acos add age alias apply array_append array_concat array_contains array_distinct array_extract array_filter
  array_has array_has_all array_has_any array_indexof array_intersect array_length array_position array_prepend array_reverse array_slice
  array_sort array_to_json array_to_string array_transform array_unique array_value array_where array_zip ascii asin atan atan2 bar base64 bin bit_count
  bit_length bit_position cardinality cbrt ceil ceiling century char_length character_length chr concat concat_ws
  constant_or_null contains cos cot damerau_levenshtein date_add date_diff date_part date_sub date_trunc datediff
  datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decode degrees divide editdist3
  element_at encode ends_with epoch epoch_ms epoch_ns epoch_us era even exp factorial fdiv filter flatten floor fmod format
  format_bytes formatreadabledecimalsize formatreadablesize from_base64 from_binary from_hex gamma gcd greatest greatest_common_divisor hamming hash hex
  hour ilike_escape instr isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity
  json json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
  json_extract_string json_keys json_merge_patch json_object json_quote json_structure json_type json_valid json_value
  julian last_day lcase lcm least least_common_multiple left left_grapheme len length length_grapheme levenshtein
  lgamma like_escape list_append list_cat list_concat list_contains list_distinct list_element list_extract list_filter list_has
  list_has_all list_has_any list_indexof list_intersect list_position list_prepend list_resize list_reverse list_reverse_sort list_select list_slice
  list_sort list_sum list_avg list_min list_max list_count list_first list_last list_transform list_unique list_value list_where list_zip ln log log10 log2 lower lpad ltrim
  make_date make_time make_timestamp make_timestamp_ms make_timestamptz map map_concat map_contains map_entries
  map_extract map_extract_value map_from_entries map_keys map_values md5 microsecond millennium millisecond minute mod month monthname
  multiply nanosecond nextafter nfc_normalize not_ilike_escape not_like_escape nullif octet_length ord parse_filename pi position pow power
  prefix printf quarter radians range regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches
  regexp_replace regexp_split_to_array repeat replace reverse right right_grapheme round round_even row rpad rtrim second sha1 sha256
  sign signbit sin split split_part sqrt starts_with str_split str_split_regex strftime string_split string_split_regex
  string_to_array strip_accents strlen strpos strptime struct_concat struct_extract struct_insert struct_pack struct_keys substr substring
  substring_grapheme subtract suffix tan time_bucket timezone timezone_hour timezone_minute to_base to_base64 to_binary
  to_centuries to_days to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds to_minutes
  to_months to_quarters to_seconds to_timestamp to_weeks to_years translate trim trunc try_strptime typeof ucase
  unbin unhex unicode upper url_decode url_encode week weekday weekofyear xor year yearweek
  `),
);

/** Aggregates and window functions, for the `sql` step only. */
export const SET_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min argmax argmin array_agg avg bit_and bit_or bit_xor
  bool_and bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg first
  first_value fsum geomean group_concat histogram kahan_sum kurtosis lag last last_value lead list listagg mad max max_by mean
  median min min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank rank_dense regr_avgx
  regr_avgy regr_count regr_intercept regr_r2 regr_slope row_number skewness stddev stddev_pop stddev_samp string_agg
  sum var_pop var_samp variance weighted_avg
  unnest generate_series
  `),
);
