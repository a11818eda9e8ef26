// One table in five forms, with cells that mean something in each of them.
#include "fixture.h"

#include "report/table.h"

static void fill(struct table *table) {
	table_column(table, "name", TABLE_WORDS);
	table_column(table, "key_1", TABLE_CODE);
	table_column(table, "value", TABLE_NUMBERS);
	table_text(table, "a,\"b\"\n| & \xc3\xa9");
	table_text(table, "graph.a_b|c");
	table_cell(table, "0.3 +- 0.1", 0.1 + 0.2);
	table_text(table, NULL);
	table_text(table, NULL);
	table_number(table, -1234567.25);
	table_text(table, "50% of $x_{i}^2 \\ ~ # <>");
	table_text(table, "`");
	table_number(table, NAN);
}

static void check(enum table_form form, const char *expected) {
	struct table table = {0};
	struct text text = {0};
	fill(&table);
	assert_int_equal(table_rows(&table), 3);
	table_write(&table, form, &text);
	assert_string_equal(text_string(&text), expected);
	text_finish(&text);
	table_finish(&table);
}

static void test_text(void **state) {
	(void)state;
	struct table table = {0};
	struct text text = {0};
	table_column(&table, "word", TABLE_WORDS);
	table_column(&table, "n", TABLE_NUMBERS);
	table_column(&table, "last", TABLE_WORDS);
	table_text(&table, "\xc3\xa9\xc3\xa9"); // two characters
	table_count(&table, 12);
	table_text(&table, "x");
	table_text(&table, NULL);
	table_number(&table, 0.5);
	table_text(&table, NULL);
	table_write(&table, TABLE_TEXT, &text);
	assert_string_equal(text_string(&text), "word    n  last\n\xc3\xa9\xc3\xa9     12  x\n-     0.5  -\n");
	text_finish(&text);
	table_finish(&table);
}

static void test_csv(void **state) {
	(void)state;
	check(TABLE_CSV, "name,key_1,value\r\n\"a,\"\"b\"\"\n| & \xc3\xa9\",graph.a_b|c,0.30000000000000004\r\n"
	                 ",,-1234567.25\r\n50% of $x_{i}^2 \\ ~ # <>,`,\r\n");
}

static void test_json(void **state) {
	(void)state;
	check(TABLE_JSON, "[\n\t{\"name\": \"a,\\\"b\\\"\\n| & \xc3\xa9\", \"key_1\": \"graph.a_b|c\", \"value\": "
	                  "0.30000000000000004},\n\t{\"name\": null, \"key_1\": null, \"value\": -1234567.25},\n"
	                  "\t{\"name\": \"50% of $x_{i}^2 \\\\ ~ # <>\", \"key_1\": \"`\", \"value\": null}\n]\n");
}

static void test_latex(void **state) {
	(void)state;
	check(
	    TABLE_LATEX,
	    "% \\usepackage{booktabs}\n\\begin{tabular}{llr}\n\\toprule\nname & key\\_1 & value \\\\\n\\midrule\n"
	    "a,\"b\" $|$ \\& \xc3\xa9 & \\texttt{graph.a\\_b$|$c} & 0.3 $\\pm$ 0.1 \\\\\n"
	    "- & - & $-$1.23457e+06 \\\\\n"
	    "50\\% of \\$x\\_\\{i\\}\\textasciicircum{}2 \\textbackslash{} \\textasciitilde{} \\# $<$$>$ & \\texttt{`} & - "
	    "\\\\\n\\bottomrule\n\\end{tabular}\n");
}

static void test_markdown(void **state) {
	(void)state;
	check(TABLE_MARKDOWN, "| name | key_1 | value |\n|---|---|---:|\n"
	                      "| a,\"b\" \\| & \xc3\xa9 | `graph.a_b\\|c` | 0.3 +- 0.1 |\n| - | - | -1.23457e+06 |\n"
	                      "| 50% of $x_{i}^2 \\\\ ~ # \\<> | \\` | - |\n");
}

static void test_empty(void **state) {
	(void)state;
	struct table table = {0};
	struct text text = {0};
	table_column(&table, "only", TABLE_WORDS);
	table_write(&table, TABLE_JSON, &text);
	table_write(&table, TABLE_TEXT, &text);
	assert_string_equal(text_string(&text), "[]\nonly\n");
	text_finish(&text);
	table_finish(&table);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),  cmocka_unit_test(test_csv),      cmocka_unit_test(test_json),
	    cmocka_unit_test(test_latex), cmocka_unit_test(test_markdown), cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
