from samclr_core.cli import main

main()
