// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "suites.h"

int main(void)
{
	Suite *suite = suite_create("runtime");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, backend_case());
	suite_add_tcase(suite, cli_case());
	suite_add_tcase(suite, device_params_case());
	suite_add_tcase(suite, json_case());
	suite_add_tcase(suite, kernel_features_case());
	suite_add_tcase(suite, redirect_case());
	suite_add_tcase(suite, state_case());

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
