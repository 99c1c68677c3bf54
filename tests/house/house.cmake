# tests of the house come here
