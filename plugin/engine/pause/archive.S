/* The image archive as bytes of the program's read-only data (plugin/engine/pause_image.h). */
        .section .rodata
        .global plumb_pause_image_begin
        .global plumb_pause_image_end
        .balign 16
plumb_pause_image_begin:
        .incbin PLUMB_PAUSE_ARCHIVE
plumb_pause_image_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits
