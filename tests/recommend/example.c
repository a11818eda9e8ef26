// The README's example: an outsider's program against an installed libaexp. Usage: example MODEL ITEM RATING
#include <aexp.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
	struct aexp_model *model;
	struct aexp_error error;
	if (argc != 4)
		return 2;
	if (!aexp_open(argv[1], 0, &model, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return error.code;
	}
	struct aexp_rating ratings[] = {{argv[2], atof(argv[3])}};
	struct aexp_user user = {.ratings = ratings, .ratings_count = 1};
	struct aexp_how how = {.top = 3};
	struct aexp_list list;
	if (aexp_recommend(model, &user, 1, &how, &list, &error))
		for (size_t i = 0; i < list.count; i++)
			printf("%s %.6g\n", list.items[i].item, (double)list.items[i].score);
	aexp_close(model);
	return 0;
}
