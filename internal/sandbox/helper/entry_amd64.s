#include "textflag.h"

// The kernel starts lamina-init here, with the count of arguments on the stack. Go functions are called by way of a wrapper that
// looks at where the register FS points: at memory for that, until Go's own start sets it again.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVQ SP, BX
	MOVB $1, ·entered(SB)
	MOVQ $158, AX    // arch_prctl
	MOVQ $0x1002, DI // ARCH_SET_FS
	LEAQ ·rawThread+8(SB), SI
	SYSCALL
	SUBQ $64, SP
	ANDQ $~15, SP
	MOVQ BX, 48(SP)
	MOVQ BX, 0(SP)
	CALL ·begin(SB)
	MOVQ 48(SP), SP
	JMP  _rt0_amd64_linux(SB)

GLOBL ·rawThread(SB), NOPTR, $16
