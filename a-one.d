one.o: /tmp/tmp.GLW7zTutGE/one.c server/store/user.h server/db/db.h \
 agentlink/base/arena.h agentlink/base/err.h agentlink/base/str.h \
 agentlink/model/user.h
server/store/user.h:
server/db/db.h:
agentlink/base/arena.h:
agentlink/base/err.h:
agentlink/base/str.h:
agentlink/model/user.h:
