// See service.h.
#include "serve/service.h"

#include "train/train.h"

static const double LOOK_SECONDS = 1; // between looks at the model's file
enum { TOP = 10 };

bool service_open(struct service *s, const struct service_config *config, size_t slots, struct error *error) {
	*s = (struct service){.config = config, .looked = train_seconds()};
	s->inquiry = (struct inquiry){.predicts = config->predicts, .how = config->how};
	if (!s->inquiry.how.top)
		s->inquiry.how.top = TOP;
	return models_open(&s->models, config->path, slots, error);
}

void service_close(struct service *s) {
	models_close(&s->models);
}

static void reload(struct service *s) {
	const struct service_config *config = s->config;
	char text[ERROR_FILE_MAX + ERROR_TEXT_MAX + 64];
	struct error error = {0};
	struct text note = {0};
	if (models_reload(&s->models, &error)) {
		const struct aexp_model *m = atomic_load(&s->models.current)->model[0];
		text_format(&note, "the model was opened anew: %s/%s", aexp_name(m), aexp_id(m));
	} else {
		error_format(&error, text, sizeof(text));
		text_format(&note, "the old model stays: %s", text);
	}
	config->note(config->context, text_string(&note));
	text_finish(&note);
}

bool service_goes_on(struct service *s) {
	unsigned wishes = s->config->wishes(s->config->context);
	double now = train_seconds();
	bool looks = now - s->looked >= LOOK_SECONDS;
	if (looks)
		s->looked = now;
	if (wishes & SERVICE_RELOAD || (looks && models_changed(&s->models)))
		reload(s);
	return !(wishes & SERVICE_STOP);
}
