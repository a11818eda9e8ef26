// The three standard streams, before anything is done with them.
#ifndef AEXP_CLI_STREAMS_H
#define AEXP_CLI_STREAMS_H

// Those that were closed by who started the program stay so to who reads or writes them, but no file that is opened
// takes their numbers: a message would be written into it. What goes to a terminal on standard output is without
// control characters: names, ids and titles come from files of anyone, and a terminal would obey them.
void streams_begin(void);

#endif
