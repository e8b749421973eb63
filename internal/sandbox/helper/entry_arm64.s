#include "textflag.h"

// The kernel starts lamina-init here, with the count of arguments on the stack.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD RSP, R19
	MOVD $1, R0
	MOVB R0, ·entered(SB)
	SUB  $64, RSP
	MOVD R19, 48(RSP)
	MOVD R19, 8(RSP)
	MOVD $0, g
	CALL ·begin(SB)
	MOVD 48(RSP), R19
	MOVD R19, RSP
	JMP  _rt0_arm64_linux(SB)
