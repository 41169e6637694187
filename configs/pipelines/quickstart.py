# The whole chain on generated images, on a CPU.
#
#   python tools/run_pipeline.py configs/pipelines/quickstart.py
_data = dict(data_root='{work_dir}/data')
_cam = 'configs/cam/cam_efficientnet-lite0_small.py'
_ktse = 'configs/ktse/ktse_efficientnet-lite0_small.py'
_seg = 'configs/deeplabv2/deeplabv2_efficientnet-lite0_custom-224x224.py'
_epochs = 12
_schedule = {
    'param_scheduler.0.end': _epochs,
    'train_cfg.max_epochs': _epochs,
    'train_cfg.val_interval': _epochs
}
stages = [
    dict(
        name='data',
        type='command',
        argv=[
            '{python}', '{tools}/dataset_converters/make_synthetic.py',
            '{work_dir}/data', '--size', '224', '--num-train', '200',
            '--num-val', '50'
        ],
        outputs=['{work_dir}/data/synthetic.json']),
    dict(
        name='cam',
        type='train',
        config=_cam,
        needs=['data'],
        cfg_options=_data),
    dict(
        name='cam_labels',
        title='baseline CAM',
        type='pseudo_labels',
        config=_cam,
        checkpoint='{cam.checkpoint}',
        cfg_options=_data),
    dict(
        name='ktse',
        type='train',
        config=_ktse,
        needs=['data'],
        cfg_options=_data),
    dict(
        name='ktse_labels',
        title='KTSE',
        type='pseudo_labels',
        config=_ktse,
        checkpoint='{ktse.checkpoint}',
        cfg_options=_data),
    dict(
        name='deeplabv2',
        type='train',
        config=_seg,
        cfg_options={
            **_data, 'pseudo_label_dir': '{ktse_labels.work_dir}',
            **_schedule
        }),
    dict(
        name='deeplabv2_val',
        title='DeepLabV2 on the labels of KTSE',
        type='test',
        config=_seg,
        checkpoint='{deeplabv2.checkpoint}',
        cfg_options=dict(_data, pseudo_label_dir='{ktse_labels.work_dir}')),
    dict(
        name='figure',
        type='command',
        needs=['deeplabv2_val'],
        argv=[
            '{python}', '{tools}/analysis_tools/pipeline_summary.py', _cam,
            '--runs', 'CAM={cam_labels.work_dir}@cam',
            'CAM + PAR={cam_labels.work_dir}',
            'KTSE={ktse_labels.work_dir}@cam',
            'KTSE + PAR={ktse_labels.work_dir}', '--out',
            '{work_dir}/summary.png', '--cfg-options',
            'data_root={work_dir}/data'
        ],
        outputs=['{work_dir}/summary.png']),
    dict(
        name='report',
        type='command',
        argv=[
            '{python}', '{tools}/analysis_tools/report.py', _ktse,
            '{ktse_labels.work_dir}', '--out', '{work_dir}/report.html',
            '--cfg-options', 'data_root={work_dir}/data'
        ],
        outputs=['{work_dir}/report.html']),
]
