#include "agent/wall/internal.h"
int gate_open(struct wall *w, struct err *err) { (void)w; return err_set(err, ERR_UNAVAILABLE, "no gate"); }
void gate_close(struct wall *w) { (void)w; }
int gate_fd(const struct wall *w) { (void)w; return -1; }
void gate_turn(struct wall *w) { (void)w; }
int deadman_open(struct wall *w, struct err *err) { (void)w; (void)err; return 0; }
void deadman_beat(struct wall *w) { (void)w; }
void deadman_close(struct wall *w) { (void)w; }
int wall_confine(struct wall *w, struct err *err) { (void)w; (void)err; return 0; }
