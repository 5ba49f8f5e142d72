"""A SimBench grid of one transformer, one line and one house, as the text of its CSV files."""

from __future__ import annotations

TABLES = {
    "Node": """id;type;vmSetp;vmR;vmMin;vmMax;coordID;subnet
MV9 Bus 1;busbar;1.025;20;0.965;1.055;c0;MV9_LV9.1
LV9.1 Bus 1_1;auxiliary;;0.4;0.9;1.1;c1;LV9.1
LV9.1 Bus 1;busbar;;0.4;0.9;1.1;c1;LV9.1
LV9.1 Bus 2;busbar;;0.4;0.9;1.1;c2;LV9.1
LV9.2 Bus 1;busbar;;0.4;0.9;1.1;c2;LV9.2
""",
    "Coordinates": "id;x;y;subnet\nc0;9.1;51.1;MV9\nc1;9.2;51.2;LV9.1\nc2;9.3;51.3;LV9.1\n",
    "Line": "id;nodeA;nodeB;type;length;loadingMax;subnet\nL1;LV9.1 Bus 1_1;LV9.1 Bus 2;NAYY;0.2;80;LV9.1\n",
    "LineType": "id;r;x;b;iMax;type\nNAYY;0.2067;0.0804;260.7;270;cable\n",
    "Switch": "id;nodeA;nodeB;type;cond;subnet\nS1;LV9.1 Bus 1;LV9.1 Bus 1_1;LS;1;LV9.1\n",
    "Transformer": "id;nodeHV;nodeLV;type;tappos;loadingMax;subnet\nT1;MV9 Bus 1;LV9.1 Bus 1;T;-1;50;LV9.1\n",
    "TransformerType": "id;sR;vmHV;vmLV;va0;vmImp;pCu;pFe;iNoLoad;tapside;dVm;dVa;tapNeutr;tapMin;tapMax\n"
    "T;0.4;20;0.4;150;6;4.8;1.2;0.3;HV;2.5;0;0;-2;2\n",
    "ExternalNet": "id;node;calc_type;dspf;subnet\nE1;MV9 Bus 1;vavm;1;LV9.1_MV9_eq\nE2;X;vavm;1;MV9_HV1_eq\n",
    "Load": "id;node;profile;pLoad;qLoad;subnet\nA;LV9.1 Bus 2;lv_x;0.004;0.001;LV9.1\n",
    "RES": "id;node;type;profile;calc_type;pRES;qRES;subnet\nP;LV9.1 Bus 2;PV;lv_x;pq;0.01;0;LV9.1\n",
    "Storage": "id;node;profile;eStore;etaStore;sdStore;pMin;pMax;chargeLevel;subnet\n"
    "B;LV9.1 Bus 2;none;0.02;0.95;0.13;-0.01;0;0;LV9.1\n",
    "LoadProfile": "time;lv_x_pload;lv_x_qload\n01.01.2016 00:00;0.5;0.1\n01.01.2016 00:15;0.25;-0.2\n",
    "RESProfile": "time;lv_x\n01.01.2016 00:00;0.75\n01.01.2016 00:15;-0.01\n",
}
