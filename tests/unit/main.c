// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "unit.h"

int main(void)
{
	Suite *suite = suite_create("compiler");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, names_case());
	suite_add_tcase(suite, parse_case());
	suite_add_tcase(suite, check_case());
	suite_add_tcase(suite, implies_case());
	suite_add_tcase(suite, policy_image_case());
	suite_add_tcase(suite, policy_object_case());
	suite_add_tcase(suite, policy_values_case());
	suite_add_tcase(suite, resolve_case());
	suite_add_tcase(suite, limits_case());
	suite_add_tcase(suite, complete_case());

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
