// The presets of the synthetic format: shapes of known data sets, with invented words and round proportions.
#include "data/synthetic_model.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

// A shop for cosmetics: what a customer says of herself beside a review.
static const struct trait shop_traits[] = {
    {.name = "skin_type",
     .share = 0.26,
     .missing = 20,
     .level = {{"Combination", 54}, {"Dry", 19}, {"Oily", 14}, {"Normal", 13}},
     .levels = 4},
    {.name = "skin_tone",
     .share = 0.16,
     .missing = 30,
     .level = {{"Porcelain", 7},
               {"Fair", 22},
               {"Light", 27},
               {"Medium", 21},
               {"Olive", 8},
               {"Tan", 7},
               {"Deep", 4},
               {"Dark", 3},
               {"Ebony", 1}},
     .levels = 9},
    {.name = "eye_color",
     .share = 0.06,
     .missing = 40,
     .level = {{"Brown", 52}, {"Blue", 19}, {"Hazel", 14}, {"Green", 13}, {"Gray", 2}},
     .levels = 5},
    {.name = "hair_color",
     .share = 0.08,
     .missing = 40,
     .level = {{"Brunette", 47}, {"Blonde", 23}, {"Black", 21}, {"Auburn", 4}, {"Red", 3}, {"Gray", 2}},
     .levels = 6},
    {.name = "age_range",
     .share = 0.18,
     .missing = 80,
     .level = {{"13-17", 6}, {"18-24", 21}, {"25-34", 33}, {"35-44", 20}, {"45-54", 12}, {"over 54", 8}},
     .levels = 6},
};

static const struct trait shop_kind = {
    .name = "category",
    .share = 0.3,
    .level = {{"Cleanser", 20},
              {"Moisturizer", 24},
              {"Serum", 16},
              {"Mask", 12},
              {"Toner", 8},
              {"Exfoliant", 8},
              {"Eye Cream", 7},
              {"Sunscreen", 5}},
    .levels = 8,
};

static const char *const shop_adjectives[] = {"Velvet",  "Morning", "Quiet",   "Botanic", "Silken", "Lunar",
                                              "Coral",   "Amber",   "Frosted", "Gentle",  "Golden", "Misty",
                                              "Mineral", "Pearl",   "Radiant", "Wild"};

// A club of film lovers.
static const struct trait club_traits[] = {
    {.name = "gender", .share = 0.1, .level = {{"M", 70}, {"F", 30}}, .levels = 2},
    {.name = "age",
     .share = 0.15,
     .level = {{"under 18", 4}, {"18-24", 18}, {"25-34", 35}, {"35-44", 20}, {"45-54", 15}, {"55+", 8}},
     .levels = 6},
    {.name = "occupation",
     .share = 0.1,
     .missing = 50,
     .level = {{"student", 18},
               {"educator", 10},
               {"engineer", 12},
               {"programmer", 10},
               {"writer", 6},
               {"artist", 6},
               {"executive", 10},
               {"administrator", 8},
               {"scientist", 5},
               {"healthcare", 5},
               {"retired", 4},
               {"homemaker", 6}},
     .levels = 12},
};

static const struct trait club_kind = {
    .name = "genre",
    .share = 0.4,
    .level = {{"Drama", 30},
              {"Comedy", 25},
              {"Thriller", 13},
              {"Romance", 9},
              {"Adventure", 8},
              {"Mystery", 5},
              {"Western", 3},
              {"Musical", 3},
              {"Documentary", 4}},
    .levels = 9,
};

static const char *const club_adjectives[] = {"Crimson", "Last",   "Hidden",   "Paper",   "Midnight", "Broken",
                                              "Second",  "Silent", "Northern", "Burning", "Endless",  "Stolen",
                                              "Distant", "Glass",  "Hollow",   "Young"};

#define SHOP                                                                                                           \
	.traits = shop_traits, .trait_count = COUNT(shop_traits), .kind = &shop_kind, .adjective = shop_adjectives,        \
	.adjectives = COUNT(shop_adjectives), .user_prefix = "u", .item_prefix = "P"
#define CLUB                                                                                                           \
	.traits = club_traits, .trait_count = COUNT(club_traits), .kind = &club_kind, .adjective = club_adjectives,        \
	.adjectives = COUNT(club_adjectives), .user_prefix = "u", .item_prefix = "m"

static const struct preset sephora = {
    .row = {.name = "sephora", .doc = "A cosmetics shop: 500,000 users, most with one rating, of 800 products"},
    .users = 500000,
    .items = 800,
    .ratings = 800000,
    .rank = 4,
    .fewest = 1,
    .noise = 0.7,
    .quality = 0.22,
    .taste = 0.71,
    .bias = 0.07,
    .activity_roots = 1,
    .activity_cut = 0x1p-14,
    .head = 0.02,
    .slope_halves = 2,
    .fade = 1,
    .star_share = {0.09, 0.07, 0.08, 0.14, 0.62},
    SHOP,
};

static const struct preset ml1m = {
    .row = {.name = "ml1m", .doc = "The shape of MovieLens 1M: 6,040 users x 3,706 films x 1,000,209 ratings"},
    .users = 6040,
    .items = 3706,
    .ratings = 1000209,
    .rank = 8,
    .fewest = 20,
    .noise = 0.9,
    .quality = 0.42,
    .taste = 0.33,
    .bias = 0.25,
    .activity_roots = 2,
    .activity_cut = 0x1p-11,
    .head = 0.1,
    .slope_halves = 2,
    .fade = 2,
    .star_share = {0.06, 0.11, 0.26, 0.35, 0.22},
    CLUB,
};

static const struct preset ml20m = {
    .row = {.name = "ml20m", .doc = "The shape of MovieLens 20M: 138,493 users x 26,744 films x 20,000,263 ratings"},
    .users = 138493,
    .items = 26744,
    .ratings = 20000263,
    .rank = 8,
    .fewest = 20,
    .noise = 0.9,
    .quality = 0.42,
    .taste = 0.33,
    .bias = 0.25,
    .activity_roots = 2,
    .activity_cut = 0x1p-18,
    .head = 0.05,
    .slope_halves = 4,
    .fade = 2,
    .star_share = {0.05, 0.10, 0.25, 0.36, 0.24},
    CLUB,
};

static const struct preset netflix = {
    .row = {.name = "netflix",
            .doc = "The shape of the Netflix prize: 480,189 users x 17,770 films x 100,480,507 ratings"},
    .users = 480189,
    .items = 17770,
    .ratings = 100480507,
    .rank = 8,
    .fewest = 1,
    .noise = 0.9,
    .quality = 0.42,
    .taste = 0.33,
    .bias = 0.25,
    .activity_roots = 2,
    .activity_cut = 0x1p-19,
    .head = 0.07,
    .slope_halves = 4,
    .fade = 1,
    .star_share = {0.05, 0.10, 0.29, 0.33, 0.23},
    CLUB,
};

static const struct row *const rows[] = {&sephora.row, &ml1m.row, &ml20m.row, &netflix.row};
const struct registry synthetic_presets = {.what = "preset", .plural = "presets", .rows = rows, .count = COUNT(rows)};
