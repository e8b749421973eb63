package helper

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

const x32Bit = 0x40000000

// refusedOnArch are calls that only x86 has.
var refusedOnArch = []uint32{
	unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS,
	unix.SYS_CREATE_MODULE, unix.SYS_GET_KERNEL_SYMS, unix.SYS_QUERY_MODULE, unix.SYS_NFSSERVCTL, unix.SYS__SYSCTL,
}

// extraNumbers answers ENOSYS for the x32 numbers.
func extraNumbers() []unix.SockFilter {
	return []unix.SockFilter{jump(unix.BPF_JSET, x32Bit, 0, 1), answer(unix.ENOSYS)}
}
